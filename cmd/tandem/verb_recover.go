package main

import (
	"context"
	"time"

	"tandem/store"
)

// administrator is who the command line's verbs are done by.
var administrator = store.Actor{Protocol: "admin"}

type undoRequest struct {
	Account string `json:"account"` // "": whoever's the session was
	Session string `json:"session"`
}

type undoResult struct {
	Account  string             `json:"account"`
	Session  string             `json:"session"`
	Time     time.Time          `json:"time"` // of the QUIT
	Policy   store.DeletePolicy `json:"policy"`
	Mailbox  string             `json:"mailbox"`
	Deleted  int                `json:"deleted"`
	Restored int                `json:"restored"`
	Shown    int                `json:"shown"`
	Already  int                `json:"already"`
	Filed    map[string]int     `json:"filed"` // by mailbox
	Lost     int                `json:"lost"`
	UIDs     string             `json:"uids"` // of the restored
}

var sessionUndo = verb[undoRequest, undoResult]{"undo",
	func(ctx context.Context, s *store.Store, req undoRequest) (undoResult, error) {
		by := administrator
		if req.Account != "" {
			a, err := s.Account(ctx, req.Account)
			if err != nil {
				return undoResult{}, err
			}
			by = store.Actor{Account: a.ID, Protocol: "admin"}
		}
		u, err := s.Undo(ctx, by, req.Session)
		if err != nil {
			return undoResult{}, err
		}
		a, err := s.AccountByID(ctx, u.Account)
		if u.Filed == nil {
			u.Filed = map[string]int{}
		}
		return undoResult{a.Name, u.Session, u.Time.UTC(), u.Policy, u.Mailbox, u.Deleted, u.Restored, u.Shown, u.Already, u.Filed, u.Lost,
			u.UIDs.String()}, err
	}}

type undeleteRequest struct {
	Account string    `json:"account"`
	Since   time.Time `json:"since"`
	Mailbox string    `json:"mailbox"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Copies  bool      `json:"copies"`
	DryRun  bool      `json:"dry_run"`
}

type undeleteResult struct {
	Messages  []undeletedMessage `json:"messages"`
	Restored  int                `json:"restored"`  // of them
	Elsewhere int                `json:"elsewhere"` // not among them: they are still in other mailboxes
}

type undeletedMessage struct {
	Expunged time.Time `json:"expunged"`
	Mailbox  string    `json:"mailbox"` // that it was in, "" when nobody knows
	UID      store.UID `json:"uid"`     // that it had there
	EmailID  string    `json:"email_id"`
	From     string    `json:"from"`
	Subject  string    `json:"subject"`
	Size     uint32    `json:"size"`
	NewUID   store.UID `json:"new_uid"` // 0: it was not brought back
}

var mailUndelete = verb[undeleteRequest, undeleteResult]{"undelete",
	func(ctx context.Context, s *store.Store, req undeleteRequest) (undeleteResult, error) {
		res := undeleteResult{Messages: []undeletedMessage{}}
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return res, err
		}
		var graves []store.Grave
		at := map[store.Grave]int{}
		filter := store.ExpungedFilter{Since: req.Since, Mailbox: req.Mailbox, From: req.From, Subject: req.Subject, Copies: true}
		for m, err := range s.Expunged(ctx, a.ID, filter) {
			if err != nil {
				return res, err
			}
			if m.Elsewhere && !req.Copies {
				res.Elsewhere++
				continue
			}
			grave := store.Grave{Mailbox: m.Mailbox, UID: m.UID}
			at[grave] = len(graves)
			graves = append(graves, grave)
			res.Messages = append(res.Messages, undeletedMessage{m.Removed.UTC(), m.Name, m.UID, m.EmailID, m.From, m.Subject, m.Size, 0})
		}
		if req.DryRun {
			return res, nil
		}
		back, err := s.Undelete(ctx, administrator, a.ID, graves)
		for _, r := range back {
			res.Messages[at[r.Grave]].NewUID = r.UID
		}
		res.Restored = len(back)
		return res, err
	}}

type sessionsRequest struct {
	Account string    `json:"account"`
	Since   time.Time `json:"since"`
}

type sessionInfo struct {
	Session  string             `json:"session"`
	Protocol string             `json:"protocol"`
	Account  string             `json:"account"` // whose credential it was, "" when nobody knows
	Device   string             `json:"device"`  // its label, "" for the account's own password
	Address  string             `json:"address"`
	Began    time.Time          `json:"began"`
	Last     *time.Time         `json:"last"` // act, null when there was none
	Open     bool               `json:"open"`
	Fetched  int                `json:"fetched"`
	Moved    int                `json:"moved"`
	Deleted  int                `json:"deleted"`
	Policy   store.DeletePolicy `json:"policy"` // of a POP3 session that deleted
	Undone   bool               `json:"undone"`
	Acts     []sessionAct       `json:"acts"`
}

type sessionAct struct {
	Time      time.Time `json:"time"`
	Verb      string    `json:"verb"`
	Mailbox   string    `json:"mailbox"`
	UIDs      string    `json:"uids"`
	To        string    `json:"to"` // the mailbox of to_uids
	OtherUIDs string    `json:"to_uids"`
	Detail    string    `json:"detail"`
}

var sessionList = verb[sessionsRequest, []sessionInfo]{"sessions",
	func(ctx context.Context, s *store.Store, req sessionsRequest) ([]sessionInfo, error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return nil, err
		}
		past, err := s.Sessions(ctx, a.ID, req.Since)
		list := make([]sessionInfo, len(past))
		for i, p := range past {
			list[i] = sessionInfo{Session: p.Session, Protocol: p.Protocol, Address: p.Remote, Began: p.Began.UTC(), Last: known(p.Last), Open: p.Open,
				Fetched: p.Fetched, Moved: p.Moved, Deleted: p.Deleted, Policy: p.Policy, Undone: p.Undone, Acts: make([]sessionAct, len(p.Acts))}
			if p.By != nil {
				list[i].Account, list[i].Device = p.By.Account, p.By.Label
			}
			for k, act := range p.Acts {
				list[i].Acts[k] = sessionAct{act.Time.UTC(), act.Verb, act.Mailbox, act.UIDs.String(), act.Other, act.OtherUIDs.String(), act.Detail}
			}
		}
		return list, err
	}}

type storyRequest struct {
	Account string `json:"account"`
	Mailbox string `json:"mailbox"` // of a UID
	Message string `json:"message"`
}

type storyInfo struct {
	EmailID string      `json:"email_id"`
	From    string      `json:"from"`
	Subject string      `json:"subject"`
	Size    int64       `json:"size"`
	Places  []placeInfo `json:"places"`
	Whole   bool        `json:"whole"` // the journal goes back to its arrival
	Events  []eventInfo `json:"events"`
}

type placeInfo struct {
	Mailbox string    `json:"mailbox"`
	UID     store.UID `json:"uid"`
	Gone    bool      `json:"gone"` // expunged there, or moved on
}

type eventInfo struct {
	Time      time.Time `json:"time"`
	Act       store.Act `json:"act"`
	Mailbox   string    `json:"mailbox"`
	UID       store.UID `json:"uid"`
	ToMailbox string    `json:"to_mailbox"`
	ToUID     store.UID `json:"to_uid"` // 0: it went nowhere
	Protocol  string    `json:"protocol"`
	Session   string    `json:"session"`
	Account   string    `json:"account"` // whose credential it was, "" for none
	Device    string    `json:"device"`  // its label, "" for the account's own password
	Address   string    `json:"address"`
	Detail    string    `json:"detail"`
}

var messageStory = verb[storyRequest, []storyInfo]{"log",
	func(ctx context.Context, s *store.Store, req storyRequest) ([]storyInfo, error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return nil, err
		}
		m, err := s.Mailbox(ctx, store.Actor{Account: a.ID, Protocol: "admin"}, req.Mailbox)
		if err != nil {
			return nil, err
		}
		ids, err := s.FindMessages(ctx, a.ID, m.ID, req.Message)
		if err != nil {
			return nil, err
		}
		list := make([]storyInfo, 0, len(ids))
		for _, id := range ids {
			story, err := s.Story(ctx, id)
			if err != nil {
				return nil, err
			}
			list = append(list, storyInfoOf(story))
		}
		return list, nil
	}}

func storyInfoOf(s *store.Story) storyInfo {
	i := storyInfo{EmailID: s.Message.EmailID, Size: s.Message.Size, Whole: s.Whole, Places: []placeInfo{}, Events: []eventInfo{}}
	i.From, i.Subject = s.Message.Head()
	for _, p := range s.Places {
		i.Places = append(i.Places, placeInfo{s.Names[p.Mailbox], p.UID, p.Gone})
	}
	for _, e := range s.Events {
		info := eventInfo{Time: e.Time.UTC(), Act: e.Act, Mailbox: s.Names[e.Mailbox], UID: e.UID, ToMailbox: s.Names[e.To.Mailbox], ToUID: e.To.UID,
			Protocol: e.Protocol, Session: e.Session, Address: e.Remote, Detail: e.Detail}
		if e.By != nil {
			info.Account, info.Device = e.By.Account, e.By.Label
		}
		i.Events = append(i.Events, info)
	}
	return i
}
